#include "base/arena.h"

#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_SIZE 16384

struct arena_block {
    struct arena_block *next;
    size_t size;
    alignas(16) unsigned char data[];
};

void *arena_alloc(struct arena *a, size_t size)
{
    size = (size + 15) & ~(size_t)15;
    if (!a->blocks || size > a->blocks->size - a->used) {
        size_t room = size > BLOCK_SIZE ? size : BLOCK_SIZE;
        struct arena_block *block = malloc(sizeof *block + room);
        if (!block) {
            fprintf(stderr, "out of memory: %zu bytes for one command\n", room);
            abort();
        }
        block->next = a->blocks;
        block->size = room;
        a->blocks = block;
        a->used = 0;
    }
    void *out = a->blocks->data + a->used;
    a->used += size;
    return out;
}

char *arena_copy(struct arena *a, const void *data, size_t len)
{
    char *out = arena_alloc(a, len + 1);
    if (len) memcpy(out, data, len);
    out[len] = 0;
    return out;
}

void arena_reset(struct arena *a)
{
    struct arena_block *block = a->blocks;
    if (!block) return;
    while (block->next) {
        struct arena_block *next = block->next;
        free(block);
        block = next;
    }
    a->blocks = block;
    a->used = 0;
    if (block->size > BLOCK_SIZE) {
        free(block);
        a->blocks = NULL;
    }
}

void arena_release(struct arena *a)
{
    arena_reset(a);
    free(a->blocks);
    a->blocks = NULL;
    a->used = 0;
}
