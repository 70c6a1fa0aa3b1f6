#include "server/toml.h"
#include "server/tomlplusplus.h"

#include <string>
#include <string_view>

namespace
{

/* Where a line begins, counted from 1; the end if there are fewer. */
size_t line_at(std::string_view text, unsigned line)
{
    size_t at = 0;
    for (; line > 1; line--) {
        size_t end = text.find('\n', at);
        if (end == std::string_view::npos) return text.size();
        at = end + 1;
    }
    return at;
}

/* toml++ counts columns in code points, from 1. */
size_t place_of(std::string_view text, toml::source_position p)
{
    size_t at = line_at(text, p.line);
    for (unsigned column = 1; at < text.size() && column < p.column; column++) {
        at++;
        while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80) at++;
    }
    return at;
}

std::string with_value(std::string_view text, toml::source_region where, const char *value)
{
    size_t begin = place_of(text, where.begin), end = place_of(text, where.end);
    return std::string(text.substr(0, begin)) + value + std::string(text.substr(end));
}

/* Behind the line "[section]". */
std::string with_line(std::string_view text, const toml::table &section, const std::string &line)
{
    size_t at = line_at(text, section.source().begin.line + 1);
    std::string out(text.substr(0, at));
    if (!out.empty() && out.back() != '\n') out += '\n';
    return out + line + std::string(text.substr(at));
}

std::string with_section(std::string_view text, const char *section, const std::string &line)
{
    std::string out(text);
    if (!out.empty() && out.back() != '\n') out += '\n';
    if (!out.empty()) out += '\n';
    return out + "[" + section + "]\n" + line;
}

} // namespace

int toml_set(struct bytes text, const char *section, const char *key, const char *value, struct buffer *out, struct error *e)
{
    std::string_view old(reinterpret_cast<const char *>(text.data), text.len);
    auto parsed = toml::parse(old);
    if (!parsed) return error_set(e, ERROR_CONFIG, "%s", std::string(parsed.error().description()).c_str());
    const toml::table &all = parsed.table();
    const toml::table *in = all[section].as_table();
    std::string line = std::string(key) + " = " + value + "\n";
    std::string made = in && in->get(key) ? with_value(old, in->get(key)->source(), value)
                       : in               ? with_line(old, *in, line)
                                          : with_section(old, section, line);
    buffer_clear(out);
    return buffer_append(out, made.data(), made.size()) ? 0 : error_set(e, ERROR_LIMIT, "it would be too long");
}
