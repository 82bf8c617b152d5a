# SPDX-License-Identifier: Apache-2.0
wc_add_test(api_images_test api SOURCES images_test.c LINKS PkgConfig::JANSSON)
