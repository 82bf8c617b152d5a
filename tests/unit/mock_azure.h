/* SPDX-License-Identifier: Apache-2.0 */
/* The tokens that tests/support/mock_azure.py knows. */
#ifndef WC_TEST_MOCK_AZURE_H
#define WC_TEST_MOCK_AZURE_H

#define TENANT "72f988bf-86f1-41af-91ab-2d7cd011db47"
#define OPAQUE "0.entra-refresh-secret"
#define SIGNATURE "c2lnbmF0dXJlLXNlY3JldA"
#define ENTRA                                                                                              \
    "eyJ0eXAiOiJKV1QifQ."                                                                                  \
    "eyJpc3MiOiAiaHR0cHM6Ly9zdHMud2luZG93cy5uZXQvNzJmOTg4YmYtODZmMS00MWFmLTkxYWItMmQ3Y2QwMTFkYjQ3LyIsICJ0" \
    "aWQiOiAiNzJmOTg4YmYtODZmMS00MWFmLTkxYWItMmQ3Y2QwMTFkYjQ3IiwgImF1ZCI6ICJodHRwczovL21hbmFnZW1lbnQuYXp1" \
    "cmUuY29tIn0." SIGNATURE
#define OWN                                                                                                \
    "eyJ0eXAiOiJKV1QifQ."                                                                                  \
    "eyJpc3MiOiAiQXp1cmUgQ29udGFpbmVyIFJlZ2lzdHJ5IiwgImdyYW50X3R5cGUiOiAicmVmcmVzaF90b2tlbiIsICJub3RlIjog" \
    "Ij8_Pj4ifQ." SIGNATURE

#endif
