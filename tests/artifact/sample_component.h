/* A small artifact of a component, with each kind of type and canonical definition in it. */
#ifndef TESTS_ARTIFACT_SAMPLE_COMPONENT_H
#define TESTS_ARTIFACT_SAMPLE_COMPONENT_H

#include "base/buffer.h"

/* Indices of types. */
enum {
    T_NONE,
    T_U8,
    T_U32,
    T_STRING,
    T_RECORD,
    T_VARIANT,
    T_ENUM,
    T_FLAGS,
    T_LIST,
    T_FIXED,
    T_OWN,
    T_BORROW,
    T_LOG,
    T_PARAMS,
    T_MANY,
    T_GET,
    T_COUNT
};

/* Program functions. */
enum {
    F_NULL,
    F_HOST,
    F_LIFTED,
    F_NEW,
    F_DROP,
    F_REP,
    F_LATER,
    F_REALLOC,
    F_GET,
    F_MANY,
    F_FREE,
    F_INIT,
    F_COUNT
};

/* The caller ends *file. */
void sample_component_write(struct buffer *file);

#endif
