#include "keyspace/hash.h"

void keyspace_hash_open(struct keyspace_hash *h, struct keyspace *ks, struct bytes key, const struct keyspace_entry *found)
{
    dictionary_open(&h->fields, ks, key, KEYSPACE_HASH, found);
}

void keyspace_hash_close(struct keyspace_hash *h)
{
    dictionary_close(&h->fields);
}

const char *keyspace_hash_encoding(const struct keyspace_entry *found)
{
    return found->form == ENTRY_HASHED ? "hashtable" : "listpack";
}

static struct keyspace_field field_of(const struct element *el)
{
    return (struct keyspace_field){el->key, el->value};
}

uint64_t keyspace_hash_len(struct keyspace_hash *h)
{
    return dictionary_count(&h->fields);
}

bool keyspace_hash_get(const struct keyspace_hash *h, struct bytes name, struct bytes *value)
{
    struct element el;
    if (!dictionary_get(&h->fields, name, &el)) return false;
    *value = el.value;
    return true;
}

bool keyspace_hash_put(struct keyspace_hash *h, const struct keyspace_field *field)
{
    return dictionary_put(&h->fields, &(struct element){field->name, field->value, false});
}

bool keyspace_hash_add(struct keyspace_hash *h, const struct keyspace_field *field)
{
    return dictionary_add(&h->fields, &(struct element){field->name, field->value, false});
}

bool keyspace_hash_remove(struct keyspace_hash *h, struct bytes name)
{
    return dictionary_remove(&h->fields, name);
}

bool keyspace_hash_next(const struct keyspace_hash *h, struct keyspace_hash_walk *w, struct keyspace_field *out)
{
    struct element el;
    if (!dictionary_next(&h->fields, &w->fields, &el)) return false;
    *out = field_of(&el);
    return true;
}

struct visitor {
    keyspace_hash_visit *visit;
    void *user;
};

static void visit_field(void *user, const struct element *el)
{
    const struct visitor *v = user;
    struct keyspace_field field = field_of(el);
    v->visit(v->user, &field);
}

uint64_t keyspace_hash_scan(const struct keyspace_hash *h, uint64_t cursor, keyspace_hash_visit *visit, void *user)
{
    return dictionary_scan(&h->fields, cursor, visit_field, &(struct visitor){visit, user});
}

void keyspace_hash_random(struct keyspace_hash *h, uint64_t *random, struct keyspace_field *out)
{
    struct element el;
    dictionary_random(&h->fields, random, &el);
    *out = field_of(&el);
}

void keyspace_hash_sample(struct keyspace_hash *h, uint64_t count, uint64_t *random, struct arena *arena, keyspace_hash_visit *visit, void *user)
{
    dictionary_sample(&h->fields, count, random, arena, visit_field, &(struct visitor){visit, user});
}
