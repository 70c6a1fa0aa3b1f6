/* ACL, as far as it is true of a node with one user: "default", who may do everything. */
#include <openssl/sha.h>
#include <stdio.h>

#include "command/call.h"
#include "command/engine.h"
#include "command/introspect.h"

#define USER "default"

static void command_acl_whoami(struct command_call *c)
{
    resp_bulk_text(c->reply, USER);
}

static void command_acl_users(struct command_call *c)
{
    resp_array(c->reply, 1);
    resp_bulk_text(c->reply, USER);
}

#define PASSWORD_HASH_MAX (2 * SHA256_DIGEST_LENGTH + 1)

/* The SHA-256 of the password, in hex; false: there is none. */
static bool password_hash(const struct command_call *c, char out[PASSWORD_HASH_MAX])
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    struct bytes password = bytes_text(c->engine->host->password(c->engine->host->user));
    if (!password.len) return false;
    SHA256(password.data, password.len, digest);
    for (int i = 0; i < SHA256_DIGEST_LENGTH; i++) snprintf(out + 2 * i, 3, "%02x", digest[i]);
    return true;
}

static void command_acl_list(struct command_call *c)
{
    char hash[PASSWORD_HASH_MAX];
    bool needed = password_hash(c, hash);
    resp_array(c->reply, 1);
    resp_bulk_printf(c->reply, "user " USER " on %s%s ~* &* +@all", needed ? "#" : "nopass", needed ? hash : "");
}

static void reply_field(struct resp_writer *w, const char *name, const char *value)
{
    resp_bulk_text(w, name);
    resp_bulk_text(w, value);
}

static void command_acl_getuser(struct command_call *c)
{
    char hash[PASSWORD_HASH_MAX];
    bool needed = password_hash(c, hash);
    struct resp_writer *w = c->reply;
    if (!bytes_equal(c->argv[2], bytes_text(USER))) {
        resp_null(w);
        return;
    }
    resp_map(w, 6);
    resp_bulk_text(w, "flags");
    resp_set(w, needed ? 1 : 2);
    resp_bulk_text(w, "on");
    if (!needed) resp_bulk_text(w, "nopass");
    resp_bulk_text(w, "passwords");
    resp_array(w, needed);
    if (needed) resp_bulk_text(w, hash);
    reply_field(w, "commands", "+@all");
    reply_field(w, "keys", "~*");
    reply_field(w, "channels", "&*");
    resp_bulk_text(w, "selectors");
    resp_array(w, 0);
}

static void command_acl_cat(struct command_call *c)
{
    if (c->argc > 3) {
        command_reply_subcommand_error(c);
        return;
    }
    if (c->argc == 3) {
        uint32_t category = command_category_named(c->argv[2]);
        if (category)
            command_reply_category(c, category);
        else
            resp_error(c->reply, ERROR_SYNTAX, "Unknown category '%s'", command_text(c, 2));
        return;
    }
    resp_array(c->reply, COMMAND_CATEGORY_COUNT);
    for (int i = 0; i < COMMAND_CATEGORY_COUNT; i++) resp_bulk_text(c->reply, command_category_names[i] + 1);
}

#define ANY (NOSCRIPT | LOADING | STALE)

static const struct command_row subcommands[] = {
    {"CAT", -2, ANY, NO_KEYS, 0, command_acl_cat,
     "All categories of commands, or the commands of one.",
     .syntax = "[categoryname]", .since = "6.0.0", .complexity = "O(1) since the categories and commands are a fixed set."},
    {"GETUSER", 3, ADMIN | ANY, NO_KEYS, 0, command_acl_getuser,
     "What a user may do. There is one, \"default\".",
     .syntax = "username", .since = "6.0.0", .complexity = "O(1)"},
    {"LIST", 2, ADMIN | ANY, NO_KEYS, 0, command_acl_list,
     "All users, as rules: there is one, who may do everything.",
     .since = "6.0.0", .complexity = "O(1)"},
    {"USERS", 2, ADMIN | ANY, NO_KEYS, 0, command_acl_users,
     "The names of all users: there is one, \"default\".",
     .since = "6.0.0", .complexity = "O(1)"},
    {"WHOAMI", 2, ANY, NO_KEYS, 0, command_acl_whoami,
     "The user of the connection: \"default\".",
     .since = "6.0.0", .complexity = "O(1)"},
    {"HELP", 2, LOADING | STALE, NO_KEYS, 0, command_reply_help,
     "Prints this help.",
     .since = "6.0.0", .complexity = "O(1)"},
    {0},
};

const struct command_row command_acl_rows[] = {
    {"ACL", -2, 0, NO_KEYS, 0, NULL,
     "Users and what they may do.",
     .since = "6.0.0", .complexity = "Depends on subcommand.", .subcommands = subcommands},
    {0},
};
