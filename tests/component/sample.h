/* A component for the tests: see sample.c. */
#ifndef SAMPLE_H
#define SAMPLE_H

/* From behind the preamble on it is what builder_hex() reads after the first 16 digits. */
extern const char sample_hex[];
#define SAMPLE_PREAMBLE_DIGITS 16

#endif
