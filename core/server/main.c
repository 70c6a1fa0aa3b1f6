/* aikv: reads the command line and does what it says. */
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "server/faults.h"
#include "server/node.h"
#include "server/options.h"
#include "server/ping.h"
#include "server/reference.h"
#include "server/subcommand.h"
#include "tool/tool.h"

/* Read by jemalloc, where the node is linked with it: pages that are free go back to the system after 1 s, not 10 s, so that a checkpoint's do
 * not add up to what the rows have; by a thread of jemalloc's own, as in Redis, or whoever frees a gigabyte bit by bit would do it, and stand still for it. */
extern const char *malloc_conf;
const char *malloc_conf = "background_thread:true,dirty_decay_ms:1000";

static int print(reference_writer *write_page)
{
    struct buffer out;
    buffer_init(&out, 1 << 20);
    write_page(&out);
    bool whole = !out.failed && fwrite(out.data, 1, out.len, stdout) == out.len && fflush(stdout) == 0;
    buffer_release(&out);
    return whole ? EXIT_OK : EXIT_INTERNAL;
}

static int complain(const struct error *e, int exit_code)
{
    fprintf(stderr, "aikv: %s\n", e->text);
    return exit_code;
}

static int refer(const char *page)
{
    struct error e;
    reference_writer *writer = reference_page(page, &e);
    return writer ? print(writer) : complain(&e, EXIT_USAGE);
}

static int serve(struct config *config, const struct options *options)
{
    static struct node node;
    enum log_level level;
    const char *file = config_text(config, SETTING_LOG_FILE);
    int problem = log_open(*file ? file : NULL);
    if (problem) {
        fprintf(stderr, "aikv: cannot write [logging] file '%s': %s\n", file, strerror(problem));
        return problem == EACCES || problem == EPERM || problem == EROFS ? EXIT_PERMISSION : EXIT_USAGE;
    }
    if (log_parse_level(config_text(config, SETTING_LOG_LEVEL), &level)) log_set_level(level);
    log_set_thread("data");
    mallopt(M_MXFAST, 0); /* else free() gathers a million small rows and joins them in one call, which takes 0.3 s */
    faults_init();
    setenv("UV_THREADPOOL_SIZE", "8", 0); /* libraft's disk work and name look-ups share it */
    return node_run(&node, config, options->config_file, options->ready_file);
}

int main(int argc, char **argv)
{
    static struct config config;
    struct options options;
    struct error e;
    if (tool_is(argc, argv)) return tool_run(argc, argv);
    if (subcommand_is(argc, argv)) return subcommand_run(argc, argv);
    if (options_read(argc, argv, &options, &config, &e)) return complain(&e, EXIT_USAGE);
    switch (options.action) {
    case ACTION_HELP: return print(options_help);
    case ACTION_REFERENCE: return refer(options.page);
    case ACTION_VERSION: printf("aikv %s\n", AIKV_VERSION); return EXIT_OK;
    case ACTION_CHECK_CONFIG: printf("the configuration is valid\n"); return EXIT_OK;
    case ACTION_PING: return ping_node(&config, &e) ? complain(&e, EXIT_INTERNAL) : EXIT_OK;
    case ACTION_SERVE: return serve(&config, &options);
    }
    return EXIT_INTERNAL;
}
