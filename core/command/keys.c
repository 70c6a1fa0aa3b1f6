#include "command/keys.h"

#include "base/number.h"

/* Where the search of a specification begins; 0: nowhere. */
static int begin(const struct command_key_spec *s, int argc, const struct bytes *argv)
{
    if (s->find) return s->find(argc, argv);
    if (s->begin == KEYS_AT) return s->index;
    for (int i = s->index; i < argc - 1; i++)
        if (bytes_is(argv[i], s->keyword)) return i + 1;
    return 0;
}

/* Sets out on the keys of a specification. */
static void enter(struct command_keys *k, const struct command_key_spec *s)
{
    k->flags = s == &k->row->keys && k->row->key_flags ? k->row->key_flags(k->argc, k->argv) : s->flags;
    k->at = begin(s, k->argc, k->argv);
    k->step = s->step;
    k->left = 0;
    if (!k->at || k->at >= k->argc) return;
    if (s->counted) {
        int64_t count, most = k->argc - 1 - k->at;
        bool fits = number_parse_integer(k->argv[k->at], &count) && count > 0 && count <= most;
        k->left = fits ? (int)count : 0;
        k->at++;
        return;
    }
    int last = s->last >= 0 ? k->at + s->last : k->argc + s->last;
    if (s->limit > 1) last = k->at + (last - k->at + 1) / s->limit - 1;
    if (last >= k->argc) last = k->argc - 1;
    if (last >= k->at) k->left = (last - k->at) / s->step + 1;
}

bool command_keys_next(struct command_keys *k)
{
    if (k->left) k->at += k->step;
    while (!k->left) {
        const struct command_key_spec *s = command_key_spec(k->row, k->spec++);
        if (!s) return false;
        enter(k, s);
    }
    k->left--;
    return true;
}

void command_keys_pass(struct command_keys *k, unsigned count)
{
    while (count && command_keys_next(k)) {
        int passed = count - 1 < (unsigned)k->left ? (int)count - 1 : k->left;
        k->at += passed * k->step;
        k->left -= passed;
        count -= (unsigned)passed + 1;
    }
}

/* As Redis's populateCommandLegacyRangeSpec. */
struct command_legacy_keys command_legacy_keys(const struct command_row *row)
{
    struct command_legacy_keys out = {0};
    const struct command_key_spec *only = command_key_spec(row, 0);
    if (!only) return out;
    if (!command_key_spec(row, 1) && only->begin == KEYS_AT && !only->counted)
        return (struct command_legacy_keys){only->index, only->last < 0 ? only->last : only->index + only->last, only->step};
    const struct command_key_spec *s;
    for (int i = 0; (s = command_key_spec(row, i)); i++) {
        bool plain = s->begin == KEYS_AT && !s->counted && s->step == 1 && (!out.first || out.last == s->index - 1);
        if (!plain) continue;
        if (!out.first) out.first = s->index;
        out.last = s->last < 0 ? s->last : s->index + s->last;
        out.step = 1;
    }
    return out;
}
