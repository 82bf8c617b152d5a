/* SPDX-License-Identifier: Apache-2.0 */
/** @file wincontainer.h Everything but backend.h, which is for authors of backends. */
#ifndef WINCONTAINER_H
#define WINCONTAINER_H

#include <wincontainer/base.h>
#include <wincontainer/update.h>
#include <wincontainer/version.h>
#include <wincontainer/error.h>
#include <wincontainer/memory.h>
#include <wincontainer/cancel.h>
#include <wincontainer/context.h>
#include <wincontainer/image.h>
#include <wincontainer/registry.h>
#include <wincontainer/artifact.h>
#include <wincontainer/signature.h>
#include <wincontainer/stream.h>
#include <wincontainer/container.h>
#include <wincontainer/network.h>
#include <wincontainer/group.h>
#include <wincontainer/process.h>
#include <wincontainer/edit.h>
#include <wincontainer/events.h>
#include <wincontainer/stats.h>
#include <wincontainer/system.h>
#include <wincontainer/volume.h>

#endif
