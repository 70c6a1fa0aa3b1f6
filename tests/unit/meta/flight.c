#include "flight.h"

static void flight_answer(void *user, const struct cluster_result *result)
{
    struct ticket *t = user;
    assert_int_equal(t->flight->code[t->at], -1);
    t->flight->code[t->at] = result->error.code;
    t->flight->answered++;
}

bool flight_add(struct flight *f, struct meta *m)
{
    struct cluster_command c = group_mark_command(f->first + f->count);
    struct error e;
    assert_true(f->count < FLIGHT_MAX);
    f->tickets[f->count] = (struct ticket){f, f->count};
    f->code[f->count] = -1;
    if (meta_propose(m, &c, flight_answer, &f->tickets[f->count], &e)) return false;
    f->count++;
    return true;
}

bool flight_over(struct group *g, uint64_t pointer)
{
    (void)g;
    struct flight *f = (struct flight *)(uintptr_t)pointer;
    return f->answered == f->count;
}

void flight_check(const struct flight *f, const struct seat *s)
{
    for (unsigned i = 0; i < f->count; i++) {
        struct cluster_command c = group_mark_command(f->first + i);
        unsigned times = group_applied(s, &c);
        assert_true(times <= 1);
        if (f->code[i] == 0) assert_int_equal(times, 1);
        if (f->code[i] == ERROR_NOT_LEADER) assert_int_equal(times, 0);
    }
}
