/* What the assembler needs of artifact/artifact.h; blob.c asserts that it agrees. */
#ifndef TESTS_RUNTIME_BLOB_OFFSETS_H
#define TESTS_RUNTIME_BLOB_OFFSETS_H

#define HOST_PAGE          (-1073745920)
#define HELPER_TRAP        0
#define HELPER_IMPORT_CALL 1
#define HOST_GLOBAL        (-32)

#define BLOB_WIDE      0x0ff0 /* in memory 0; not 0: registers of 256 bits are there */
#define BLOB_REGISTERS 0x1000 /* in memory 0 */
#define BLOB_FLAGS     0x80   /* in struct blob_registers, as the next two */
#define BLOB_CONTROLS  0x88
#define BLOB_VECTORS   0xc0
#define BLOB_MARK      0x5ec7e75ec7e75ec7

#endif
