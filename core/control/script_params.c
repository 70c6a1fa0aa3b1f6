/* The parameters of a policy, as operators type them. */
#include <stdlib.h>

#include "control/control_thread.h"
#include "control/script_source.h"

void control_script_params_free(struct cluster_param *params, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) free(params[i].value);
    free(params);
}

struct cluster_param *control_script_params(const struct call *call, int from, uint32_t *count, struct error *e)
{
    int words = call->argc - from;
    if (words % 2 == 1 || words / 2 > CLUSTER_PARAMS_MAX) {
        error_set(e, ERROR_SYNTAX, "parameters are given as name and value, at most %d of them", CLUSTER_PARAMS_MAX);
        return NULL;
    }
    struct cluster_param *params = control_allocate((size_t)words / 2 * sizeof *params);
    *count = 0;
    for (int i = from; i < call->argc; i += 2) {
        struct bytes name = call->argv[i], value = call->argv[i + 1];
        if (name.len > CLUSTER_NAME_MAX || value.len > 1024 || memchr(value.data, 0, value.len) ||
            memchr(name.data, 0, name.len)) {
            error_set(e, ERROR_SYNTAX,
                      "a parameter has a name of up to %d bytes and a value of up to 1024, without zeros",
                      CLUSTER_NAME_MAX);
            control_script_params_free(params, *count);
            return NULL;
        }
        struct cluster_param *p = &params[(*count)++];
        memcpy(p->name, name.data, name.len);
        p->value = control_allocate(value.len + 1);
        memcpy(p->value, value.data, value.len);
    }
    return params;
}

void control_script_params_check(struct control *c, struct call *call, const struct script_found *found,
                                 const struct cluster_param *params, uint32_t count)
{
    struct policy_job *job = policy_job_new(POLICY_PARAMS);
    policy_job_set_source(job, found->name, found->version, found->text);
    policy_job_set_params(job, params, count);
    job->state = cluster_state_clone(meta_state(c->meta), false);
    control_reign_live(c, &job->live);
    control_call_submit(c, call, job);
}
