# SPDX-License-Identifier: Apache-2.0
# Filled with the install rules: library, headers, helper, wcctl, exported target, .pc, man page.
