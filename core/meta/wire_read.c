/* Decoding libraft's messages: nothing is believed, and nothing allocated before it is checked. */
#include <inttypes.h>

#include "meta/wire.h"

/* What a decoder hands back when a field is wrong; the reason is in `e`. */
#define REFUSE(...) return error_set(e, ERROR_FORMAT, "raft message: " __VA_ARGS__)

static bool role_known(int role)
{
    return role == RAFT_STANDBY || role == RAFT_VOTER || role == RAFT_SPARE;
}

/* Checks the bytes of a configuration entry as libraft wrote it: its own decoder reads past the end of a short one.
 *   1(1) · count(8) · { id(8) · address, NUL-terminated · role(1) }... · zeros up to a multiple of 8 */
static int check_configuration_entry(struct bytes entry, struct error *e)
{
    struct reader r = reader_of(entry);
    uint64_t ids[META_WIRE_SERVERS_MAX];
    unsigned voters = 0;
    if (read_u8(&r) != 1) {
        REFUSE("a configuration of an unknown format");
    }
    uint64_t count = read_u64(&r);
    if (count == 0 || count > META_WIRE_SERVERS_MAX) {
        REFUSE("a configuration of %" PRIu64 " members", count);
    }
    for (uint64_t i = 0; i < count; i++) {
        char address[META_WIRE_ADDRESS_SIZE];
        ids[i] = read_u64(&r);
        meta_wire_address(ids[i], address);
        struct bytes text = read_raw(&r, strlen(address) + 1);
        int role = read_u8(&r);
        if (r.failed || ids[i] == 0 || !role_known(role) || memcmp(text.data, address, text.len) != 0) {
            REFUSE("a configuration with a wrong member");
        }
        for (uint64_t j = 0; j < i; j++) {
            if (ids[j] == ids[i]) {
                REFUSE("a configuration that has member %" PRIu64 " twice", ids[i]);
            }
        }
        voters += role == RAFT_VOTER;
    }
    if (voters == 0 || reader_left(&r) >= 8) {
        REFUSE("a configuration without voters, or with something behind it");
    }
    return 0;
}

/* One entry's head and data, checked as far as it can be by itself. */
static int read_entry(struct reader *r, struct raft_entry *entry, struct bytes *data, struct error *e)
{
    entry->term = read_u64(r);
    unsigned type = read_u8(r);
    *data = read_bytes(r, META_WIRE_ENTRY_MAX);
    if (r->failed) {
        REFUSE("an entry is cut short or larger than %u bytes", META_WIRE_ENTRY_MAX);
    }
    if (type != RAFT_COMMAND && type != RAFT_BARRIER && type != RAFT_CHANGE) {
        REFUSE("an entry of unknown type %u", type);
    }
    if (data->len == 0 || data->len % 8 != 0) {
        REFUSE("an entry of %zu bytes: the length must be a multiple of 8", data->len);
    }
    entry->type = (enum raft_entry_type)type;
    return type == RAFT_CHANGE ? check_configuration_entry(*data, e) : 0;
}

/* First pass over the entries: everything is checked, their bytes are counted. */
static int check_entries(struct reader r, const struct raft_append_entries *p, size_t *total, struct error *e)
{
    raft_term term = p->prev_log_term;
    *total = 0;
    for (unsigned i = 0; i < p->n_entries; i++) {
        struct raft_entry entry;
        struct bytes data;
        int code = read_entry(&r, &entry, &data, e);
        if (code) {
            return code;
        }
        if (entry.term == 0 || entry.term < term || entry.term > p->term) {
            REFUSE("entry %u has term %llu, out of order", i, entry.term);
        }
        if (i > 0 && entry.type == RAFT_CHANGE) {
            REFUSE("a configuration that is not the first entry of its message");
        }
        term = entry.term;
        *total += data.len;
    }
    if (!reader_done(&r)) {
        REFUSE("bytes behind the last entry");
    }
    return 0;
}

static int read_append_entries(struct reader *r, struct raft_append_entries *p, struct error *e)
{
    p->prev_log_index = read_u64(r);
    p->prev_log_term = read_u64(r);
    p->leader_commit = read_u64(r);
    p->n_entries = read_u32(r);
    if (r->failed) {
        REFUSE("AppendEntries is cut short");
    }
    if (p->n_entries > META_WIRE_ENTRIES_MAX) {
        REFUSE("%u entries, at most %u are allowed", p->n_entries, META_WIRE_ENTRIES_MAX);
    }
    if (p->prev_log_index > META_WIRE_INDEX_MAX || (p->prev_log_index == 0) != (p->prev_log_term == 0) ||
        p->prev_log_term > p->term) {
        REFUSE("previous entry %llu of term %llu in term %llu", p->prev_log_index, p->prev_log_term, p->term);
    }
    size_t total;
    int code = check_entries(*r, p, &total, e);
    if (code || p->n_entries == 0) {
        return code;
    }
    p->entries = raft_calloc(p->n_entries, sizeof *p->entries);
    uint8_t *batch = raft_malloc(total);
    if (!p->entries || !batch) {
        raft_free(p->entries);
        raft_free(batch);
        REFUSE("no memory for %zu bytes of entries", total);
    }
    for (size_t i = 0, at = 0; i < p->n_entries; i++) {
        struct raft_entry *entry = &p->entries[i];
        struct bytes data;
        read_entry(r, entry, &data, NULL); /* cannot fail: the first pass has */
        memcpy(batch + at, data.data, data.len);
        entry->buf = (struct raft_buffer){batch + at, data.len};
        entry->batch = batch;
        at += data.len;
    }
    return 0;
}

static int read_servers(struct reader *r, struct raft_configuration *conf, struct error *e)
{
    uint32_t count = read_count(r, META_WIRE_SERVERS_MAX, 9);
    unsigned voters = 0;
    if (count == 0) {
        REFUSE("a snapshot with too many members, or none");
    }
    for (uint32_t i = 0; i < count; i++) {
        char address[META_WIRE_ADDRESS_SIZE];
        uint64_t id = read_u64(r);
        int role = read_u8(r);
        meta_wire_address(id, address);
        if (id == 0 || !role_known(role) || raft_configuration_add(conf, id, address, role) != 0) {
            REFUSE("a snapshot with a wrong member");
        }
        voters += role == RAFT_VOTER;
    }
    if (voters == 0) {
        REFUSE("a snapshot without voters");
    }
    return 0;
}

static int read_install_snapshot(struct reader *r, struct raft_install_snapshot *p, struct error *e)
{
    p->last_index = read_u64(r);
    p->last_term = read_u64(r);
    p->conf_index = read_u64(r);
    raft_configuration_init(&p->conf);
    int code = read_servers(r, &p->conf, e);
    if (code) {
        return code;
    }
    struct bytes data = read_bytes(r, META_WIRE_SNAPSHOT_MAX);
    if (!reader_done(r) || data.len == 0) {
        REFUSE("InstallSnapshot is cut short, too large, or has bytes behind it");
    }
    if (p->last_index == 0 || p->last_index > META_WIRE_INDEX_MAX || p->last_term == 0 || p->last_term > p->term ||
        p->conf_index == 0 || p->conf_index > p->last_index) {
        REFUSE("a snapshot at entry %llu of term %llu in term %llu", p->last_index, p->last_term, p->term);
    }
    p->data.base = raft_malloc(data.len);
    if (!p->data.base) {
        REFUSE("no memory for a snapshot of %zu bytes", data.len);
    }
    p->data.len = data.len;
    memcpy(p->data.base, data.data, data.len);
    return 0;
}

static int read_short(struct reader *r, unsigned flags, uint64_t from, struct raft_message *m, struct error *e)
{
    switch (m->type) {
    case RAFT_APPEND_ENTRIES_RESULT:
        m->append_entries_result.rejected = read_u64(r);
        m->append_entries_result.last_log_index = read_u64(r);
        m->append_entries_result.features = read_u16(r);
        m->append_entries_result.capacity = read_u16(r);
        break;
    case RAFT_REQUEST_VOTE:
        m->request_vote.candidate_id = from;
        m->request_vote.last_log_index = read_u64(r);
        m->request_vote.last_log_term = read_u64(r);
        m->request_vote.disrupt_leader = flags & 1;
        m->request_vote.pre_vote = flags & 2;
        break;
    case RAFT_REQUEST_VOTE_RESULT:
        m->request_vote_result.features = read_u16(r);
        m->request_vote_result.capacity = read_u16(r);
        m->request_vote_result.vote_granted = flags & 1;
        m->request_vote_result.pre_vote = flags & 2;
        break;
    default:
        m->timeout_now.last_log_index = read_u64(r);
        m->timeout_now.last_log_term = read_u64(r);
        break;
    }
    if (!reader_done(r)) {
        REFUSE("type %u is cut short or has bytes behind it", (unsigned)m->type);
    }
    return 0;
}

/* Every type begins with version and term; the copies below write them where each type has them. */
static void set_version_and_term(struct raft_message *m, uint8_t version, uint64_t term)
{
    switch (m->type) {
    case RAFT_APPEND_ENTRIES:
        m->append_entries.version = version;
        m->append_entries.term = term;
        break;
    case RAFT_APPEND_ENTRIES_RESULT:
        m->append_entries_result.version = version;
        m->append_entries_result.term = term;
        break;
    case RAFT_REQUEST_VOTE:
        m->request_vote.version = version;
        m->request_vote.term = term;
        break;
    case RAFT_REQUEST_VOTE_RESULT:
        m->request_vote_result.version = version;
        m->request_vote_result.term = term;
        break;
    case RAFT_INSTALL_SNAPSHOT:
        m->install_snapshot.version = version;
        m->install_snapshot.term = term;
        break;
    case RAFT_TIMEOUT_NOW:
        m->timeout_now.version = version;
        m->timeout_now.term = term;
        break;
    }
}

int meta_wire_read(struct bytes in, uint64_t from, struct raft_message *out, struct error *e)
{
    struct reader r = reader_of(in);
    unsigned format = read_u8(&r), type = read_u8(&r);
    uint8_t version = read_u8(&r);
    unsigned flags = read_u8(&r);
    uint64_t term = read_u64(&r);
    memset(out, 0, sizeof *out);
    if (r.failed || in.len > META_WIRE_MESSAGE_MAX) {
        REFUSE("%zu bytes", in.len);
    }
    if (format != META_WIRE_FORMAT) {
        REFUSE("format %u, this version knows %u", format, META_WIRE_FORMAT);
    }
    if (type < RAFT_APPEND_ENTRIES || type > RAFT_TIMEOUT_NOW) {
        REFUSE("unknown type %u", type);
    }
    bool flagged = type == RAFT_REQUEST_VOTE || type == RAFT_REQUEST_VOTE_RESULT;
    if (flags & ~(flagged ? 3u : 0u)) {
        REFUSE("unknown flags %#x", flags);
    }
    if (term == 0 || term > META_WIRE_TERM_MAX) {
        REFUSE("term %" PRIu64, term);
    }
    out->type = (enum raft_message_type)type;
    out->server_id = from;
    set_version_and_term(out, version, term);
    int code = type == RAFT_APPEND_ENTRIES     ? read_append_entries(&r, &out->append_entries, e)
               : type == RAFT_INSTALL_SNAPSHOT ? read_install_snapshot(&r, &out->install_snapshot, e)
                                               : read_short(&r, flags, from, out, e);
    if (code) {
        meta_wire_release(out);
    }
    return code;
}

void meta_wire_release(struct raft_message *message)
{
    if (message->type == RAFT_APPEND_ENTRIES && message->append_entries.n_entries > 0 &&
        message->append_entries.entries) {
        raft_free(message->append_entries.entries[0].batch);
        raft_free(message->append_entries.entries);
        message->append_entries.entries = NULL;
    }
    if (message->type == RAFT_INSTALL_SNAPSHOT) {
        raft_configuration_close(&message->install_snapshot.conf);
        raft_configuration_init(&message->install_snapshot.conf);
        raft_free(message->install_snapshot.data.base);
        message->install_snapshot.data.base = NULL;
    }
}
