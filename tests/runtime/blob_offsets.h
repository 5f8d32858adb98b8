/* What the assembler needs of artifact/artifact.h; blob.c asserts that it agrees. */
#ifndef TESTS_RUNTIME_BLOB_OFFSETS_H
#define TESTS_RUNTIME_BLOB_OFFSETS_H

#define HOST_PAGE          (-1073745920)
#define HELPER_TRAP        0
#define HELPER_IMPORT_CALL 1
#define HOST_GLOBAL        (-32)

#endif
