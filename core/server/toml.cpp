#include "server/toml.h"
#include "server/tomlplusplus.h"

#include <cerrno>
#include <fstream>
#include <sstream>
#include <string>

namespace
{

struct reading {
    const char *path;
    toml_visit visit;
    void *user;
    struct error *e;
};

int refuse(const reading &r, const toml::node &node, const std::string &what)
{
    auto at = node.source().begin;
    return error_set(r.e, ERROR_CONFIG, "%s:%d: %s", r.path, static_cast<int>(at.line), what.c_str());
}

/* A value as text, with its kind; false for what has no place in the configuration. */
bool as_text(const toml::node &node, toml_kind &kind, std::string &text)
{
    if (auto s = node.as_string()) {
        kind = TOML_STRING;
        text = s->get();
    } else if (auto i = node.as_integer()) {
        kind = TOML_INTEGER;
        text = std::to_string(i->get());
    } else if (auto b = node.as_boolean()) {
        kind = TOML_BOOLEAN;
        text = b->get() ? "yes" : "no";
    } else if (auto list = node.as_array()) {
        kind = TOML_LIST;
        text.clear();
        for (auto &element : *list) {
            auto item = element.as_string();
            if (!item) return false;
            if (!text.empty()) text += ',';
            text += item->get();
        }
    } else {
        return false;
    }
    return text.find('\0') == std::string::npos;
}

int visit_table(const reading &r, const std::string &section, int index, const toml::table &table)
{
    for (auto &&[key, node] : table) {
        std::string name(key.str());
        if (auto inner = node.as_table()) {
            std::string path = section.empty() ? name : section + "." + name;
            if (int code = visit_table(r, path, -1, *inner)) return code;
            continue;
        }
        auto list = node.as_array();
        if (list && !list->empty() && list->get(0)->is_table()) {
            int n = 0;
            for (auto &element : *list) {
                auto inner = element.as_table();
                if (!inner) return refuse(r, element, "'" + name + "' mixes tables and values");
                std::string path = section.empty() ? name : section + "." + name;
                if (int code = visit_table(r, path, n++, *inner)) return code;
            }
            continue;
        }
        toml_kind kind;
        std::string text;
        if (!as_text(node, kind, text)) return refuse(r, node, "'" + name + "' must be a string, an integer, a boolean or a list of strings");
        int line = static_cast<int>(node.source().begin.line);
        if (int code = r.visit(r.user, section.c_str(), index, name.c_str(), kind, text.c_str(), line, r.e)) return code;
    }
    return 0;
}

} // namespace

int toml_read(const char *path, toml_visit visit, void *user, struct error *e)
{
    std::ifstream file(path, std::ios::binary);
    if (!file) return error_system(e, ERROR_CONFIG, errno, "cannot read configuration file '%s'", path);
    std::stringstream content;
    errno = 0;
    content << file.rdbuf();
    if (errno) return error_system(e, ERROR_CONFIG, errno, "cannot read configuration file '%s'", path);
    auto result = toml::parse(content.str(), std::string_view(path));
    if (!result) {
        auto &problem = result.error();
        auto at = problem.source().begin;
        return error_set(e, ERROR_CONFIG, "%s:%d:%d: %s", path, static_cast<int>(at.line), static_cast<int>(at.column),
                         std::string(problem.description()).c_str());
    }
    return visit_table({path, visit, user, e}, "", -1, result.table());
}
