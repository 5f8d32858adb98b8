#include "h1_rules.h"

#include <stddef.h>

static const struct {
    int status;
    const char *name;
    const char *text;
} rules[] = {[H1_RULE_NONE] = {0, "none", ""},
#define R(id, status, name, text) [H1_RULE_##id] = {status, name, text},
             H1_RULES(R)
#undef R
};

int h1_rule_status(enum h1_rule rule)
{
    return rules[rule].status;
}

const char *h1_rule_name(enum h1_rule rule)
{
    return rules[rule].name;
}

const char *h1_rule_text(enum h1_rule rule)
{
    return rules[rule].text;
}
