#include "dwarf_line.h"

#include <string.h>

#include "base/checked.h"

enum {
    LNS_COPY = 1,
    LNS_ADVANCE_PC,
    LNS_ADVANCE_LINE,
    LNS_SET_FILE,
    LNS_SET_COLUMN,
    LNS_NEGATE_STMT,
    LNS_SET_BASIC_BLOCK,
    LNS_CONST_ADD_PC,
    LNS_FIXED_ADVANCE_PC,
    LNS_SET_PROLOGUE_END,
    LNS_SET_EPILOGUE_BEGIN,
    LNS_SET_ISA,
    LNE_END_SEQUENCE = 1,
    LNE_SET_ADDRESS = 2,
    LNCT_PATH = 1,
    LNCT_DIRECTORY_INDEX = 2,
};

enum {
    FORM_BLOCK2 = 0x03,
    FORM_BLOCK4 = 0x04,
    FORM_DATA2 = 0x05,
    FORM_DATA4 = 0x06,
    FORM_DATA8 = 0x07,
    FORM_STRING = 0x08,
    FORM_BLOCK = 0x09,
    FORM_BLOCK1 = 0x0a,
    FORM_DATA1 = 0x0b,
    FORM_STRP = 0x0e,
    FORM_UDATA = 0x0f,
    FORM_DATA16 = 0x1e,
    FORM_LINE_STRP = 0x1f,
};

#define DWARF64_MARK      0xffffffffu
#define DWARF_RESERVED    0xfffffff0u
#define ENTRY_FORMATS_MAX 16u
#define TEXT_BYTES_MAX    4096u

/* A cursor that goes bad instead of past its end. */
struct cursor {
    const uint8_t *bytes;
    size_t at, end;
    bool bad;
};

static uint64_t read_fixed(struct cursor *c, size_t size_bytes)
{
    uint64_t v = 0;
    if (c->bad || size_bytes > c->end - c->at) {
        c->bad = true;
        return 0;
    }
    for (size_t i = 0; i < size_bytes; i++) v |= (uint64_t)c->bytes[c->at + i] << (8 * i);
    c->at += size_bytes;
    return v;
}

static uint8_t read_u8(struct cursor *c)
{
    if (c->at >= c->end) c->bad = true;
    return c->bad ? 0 : c->bytes[c->at++];
}

static uint64_t read_uleb(struct cursor *c)
{
    uint64_t v = 0;
    for (unsigned shift = 0; !c->bad; shift += 7) {
        uint8_t byte = read_u8(c);
        if (shift < 64) v |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) break;
    }
    return v;
}

static int64_t read_sleb(struct cursor *c)
{
    uint64_t v = 0;
    unsigned shift = 0;
    uint8_t byte = 0;
    do {
        byte = read_u8(c);
        if (shift < 64) v |= (uint64_t)(byte & 0x7f) << shift;
        shift += 7;
    } while (!c->bad && (byte & 0x80));
    if (shift < 64 && (byte & 0x40)) v |= ~UINT64_C(0) << shift;
    return (int64_t)v;
}

static void skip(struct cursor *c, uint64_t size_bytes)
{
    if (c->bad || size_bytes > c->end - c->at)
        c->bad = true;
    else
        c->at += (size_t)size_bytes;
}

/* Cut at TEXT_BYTES_MAX: many entries may name one long text. */
static struct dwarf_bytes text_at(struct dwarf_bytes section, uint64_t offset)
{
    if (offset >= section.size_bytes) return (struct dwarf_bytes){NULL, 0};
    const uint8_t *text = section.bytes + offset;
    size_t left = section.size_bytes - (size_t)offset;
    if (left > TEXT_BYTES_MAX) left = TEXT_BYTES_MAX;
    return (struct dwarf_bytes){text, strnlen((const char *)text, left)};
}

static struct dwarf_bytes read_text(struct cursor *c)
{
    struct dwarf_bytes text = {c->bytes + c->at,
                               strnlen((const char *)c->bytes + c->at, c->end - c->at)};
    skip(c, (uint64_t)text.size_bytes + 1);
    return text;
}

static void read_header(struct cursor *c, struct dwarf_line_unit *u)
{
    uint16_t version = (uint16_t)read_fixed(c, 2);
    if (version < 2 || version > 5) return;
    if (version == 5) {
        u->address_bytes = read_u8(c);
        (void)read_u8(c); /* segment selectors: none on our machines */
    }
    uint64_t length = read_fixed(c, u->is_dwarf64 ? 8 : 4);
    size_t header = c->at;
    skip(c, length);
    u->program = c->at;
    c->at = header;
    u->instruction_bytes_min = read_u8(c);
    if (version >= 4) (void)read_u8(c); /* operations an instruction: 1, no VLIW */
    (void)read_u8(c);                   /* default_is_stmt */
    u->line_base = (int8_t)read_u8(c);
    u->line_range = read_u8(c);
    u->opcode_base = read_u8(c);
    if (!u->line_range || !u->opcode_base) return;
    u->opcode_lengths = c->bytes + c->at;
    skip(c, u->opcode_base - 1u);
    u->tables = c->at;
    if (!c->bad && u->tables <= u->program) u->version = version;
}

bool dwarf_line_next(const struct dwarf_line_sections *sections, size_t *at,
                     struct dwarf_line_unit *ret)
{
    struct cursor c = {sections->line.bytes, *at, sections->line.size_bytes, false};
    *at = c.end;
    if (c.at >= c.end) return false;
    *ret = (struct dwarf_line_unit){.sections = sections};
    uint64_t length = read_fixed(&c, 4);
    if (length == DWARF64_MARK) {
        ret->is_dwarf64 = true;
        length = read_fixed(&c, 8);
    } else if (length >= DWARF_RESERVED) {
        return false;
    }
    if (c.bad || length > c.end - c.at) return false;
    c.end = c.at + (size_t)length;
    *at = ret->end = c.end;
    read_header(&c, ret);
    return true;
}

struct machine {
    const struct dwarf_line_unit *unit;
    const struct dwarf_line_visitor *visitor;
    struct cursor c;
    struct dwarf_line_row row;
};

static void machine_reset(struct machine *m)
{
    m->row = (struct dwarf_line_row){.file = 1, .line = 1, .starts_sequence = true};
}

static bool emit_row(struct machine *m)
{
    bool go_on = m->visitor->row(m->visitor->context, &m->row);
    m->row.starts_sequence = false;
    return go_on;
}

static void advance_line(struct machine *m, int64_t by)
{
    m->row.line = (uint32_t)((uint64_t)m->row.line + (uint64_t)by);
}

static void advance_address(struct machine *m, uint64_t by)
{
    m->row.address += by * m->unit->instruction_bytes_min;
}

static bool run_extended(struct machine *m)
{
    uint64_t length = read_uleb(&m->c);
    if (m->c.bad || !length || length > m->c.end - m->c.at) return false;
    size_t next = m->c.at + (size_t)length;
    uint8_t op = read_u8(&m->c);
    bool go_on = true;
    if (op == LNE_END_SEQUENCE) {
        m->row.ends_sequence = true;
        go_on = emit_row(m);
        machine_reset(m);
    } else if (op == LNE_SET_ADDRESS) {
        size_t operand = m->c.at;
        if (length - 1 > sizeof(uint64_t)) return false;
        m->row.address = read_fixed(&m->c, (size_t)length - 1);
        if (m->visitor->address)
            go_on = m->visitor->address(m->visitor->context, operand, &m->row.address);
    }
    m->c.at = next;
    return go_on;
}

static bool run_standard(struct machine *m, uint8_t op)
{
    const struct dwarf_line_unit *u = m->unit;
    switch (op) {
    case LNS_COPY: return emit_row(m);
    case LNS_ADVANCE_PC: advance_address(m, read_uleb(&m->c)); return true;
    case LNS_ADVANCE_LINE: advance_line(m, read_sleb(&m->c)); return true;
    case LNS_SET_FILE: m->row.file = (uint32_t)read_uleb(&m->c); return true;
    case LNS_CONST_ADD_PC:
        advance_address(m, (uint64_t)(255 - u->opcode_base) / u->line_range);
        return true;
    case LNS_FIXED_ADVANCE_PC: m->row.address += read_fixed(&m->c, 2); return true;
    case LNS_NEGATE_STMT:
    case LNS_SET_BASIC_BLOCK:
    case LNS_SET_PROLOGUE_END:
    case LNS_SET_EPILOGUE_BEGIN: return true;
    default: /* set_column, set_isa, and whatever a producer adds */
        for (unsigned n = u->opcode_lengths[op - 1]; n; n--) (void)read_uleb(&m->c);
        return true;
    }
}

static bool run_special(struct machine *m, uint8_t op)
{
    unsigned adjusted = (unsigned)op - m->unit->opcode_base;
    advance_address(m, adjusted / m->unit->line_range);
    advance_line(m, m->unit->line_base + (int64_t)(adjusted % m->unit->line_range));
    return emit_row(m);
}

bool dwarf_line_run(const struct dwarf_line_unit *unit, const struct dwarf_line_visitor *visitor)
{
    if (!unit->version) return false;
    struct machine m = {.unit = unit, .visitor = visitor};
    m.c = (struct cursor){unit->sections->line.bytes, unit->program, unit->end, false};
    machine_reset(&m);
    while (m.c.at < m.c.end) {
        uint8_t op = read_u8(&m.c);
        bool go_on = op >= unit->opcode_base ? run_special(&m, op)
                     : op                    ? run_standard(&m, op)
                                             : run_extended(&m);
        if (!go_on || m.c.bad) return false;
    }
    return true;
}

/* ---- names ---- */

/* Directories and files before DWARF 5: texts up to an empty one. */
static bool read_names_old(struct cursor *c, const struct dwarf_line_names *names)
{
    for (;;) {
        struct dwarf_bytes text = read_text(c);
        if (c->bad) return false;
        if (!text.size_bytes) break;
        if (!names->directory(names->context, text)) return false;
    }
    for (;;) {
        struct dwarf_bytes text = read_text(c);
        if (c->bad) return false;
        if (!text.size_bytes) return true;
        uint64_t directory = read_uleb(c);
        (void)read_uleb(c); /* time of modification */
        (void)read_uleb(c); /* length in bytes */
        if (c->bad || !names->file(names->context, directory, text)) return false;
    }
}

struct entry {
    struct dwarf_bytes path;
    uint64_t directory;
};

/* One attribute of a DWARF 5 entry: its text or its number, by form. */
static void read_form(struct cursor *c, const struct dwarf_line_unit *u, uint64_t form,
                      struct dwarf_bytes *text, uint64_t *number)
{
    size_t offset_bytes = u->is_dwarf64 ? 8 : 4;
    switch (form) {
    case FORM_STRING: *text = read_text(c); break;
    case FORM_LINE_STRP: *text = text_at(u->sections->line_str, read_fixed(c, offset_bytes)); break;
    case FORM_STRP: *text = text_at(u->sections->str, read_fixed(c, offset_bytes)); break;
    case FORM_UDATA: *number = read_uleb(c); break;
    case FORM_DATA1: *number = read_fixed(c, 1); break;
    case FORM_DATA2: *number = read_fixed(c, 2); break;
    case FORM_DATA4: *number = read_fixed(c, 4); break;
    case FORM_DATA8: *number = read_fixed(c, 8); break;
    case FORM_DATA16: skip(c, 16); break;
    case FORM_BLOCK: skip(c, read_uleb(c)); break;
    case FORM_BLOCK1: skip(c, read_fixed(c, 1)); break;
    case FORM_BLOCK2: skip(c, read_fixed(c, 2)); break;
    case FORM_BLOCK4: skip(c, read_fixed(c, 4)); break;
    default: c->bad = true; break; /* its size is unknown */
    }
}

/* One table of DWARF 5, directories or files: the formats of its entries, then the entries. */
static bool read_table(struct cursor *c, const struct dwarf_line_unit *u,
                       const struct dwarf_line_names *names, bool files)
{
    uint64_t content[ENTRY_FORMATS_MAX], form[ENTRY_FORMATS_MAX];
    unsigned formats = read_u8(c);
    if (formats > ENTRY_FORMATS_MAX) return false;
    for (unsigned i = 0; i < formats; i++) {
        content[i] = read_uleb(c);
        form[i] = read_uleb(c);
    }
    uint64_t count = read_uleb(c);
    if (count && !formats) return false; /* entries of no bytes would not be bounded by the file */
    for (uint64_t n = 0; n < count && !c->bad; n++) {
        struct entry e = {{NULL, 0}, 0};
        for (unsigned i = 0; i < formats; i++) {
            struct dwarf_bytes text = {NULL, 0};
            uint64_t number = 0;
            read_form(c, u, form[i], &text, &number);
            if (content[i] == LNCT_PATH) e.path = text;
            if (content[i] == LNCT_DIRECTORY_INDEX) e.directory = number;
        }
        if (c->bad) return false;
        if (!(files ? names->file(names->context, e.directory, e.path)
                    : names->directory(names->context, e.path)))
            return false;
    }
    return !c->bad;
}

bool dwarf_line_read_names(const struct dwarf_line_unit *unit, const struct dwarf_line_names *names)
{
    if (!unit->version) return false;
    struct cursor c = {unit->sections->line.bytes, unit->tables, unit->program, false};
    if (unit->version < 5) return read_names_old(&c, names);
    return read_table(&c, unit, names, false) && read_table(&c, unit, names, true);
}
