/* SPDX-License-Identifier: Apache-2.0 */
/* TEST_SANITIZED: sizes and times of this build mean nothing. */
#ifndef WC_TEST_SANITIZED_H
#define WC_TEST_SANITIZED_H

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define TEST_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define TEST_SANITIZED 1
#endif
#endif

#endif
