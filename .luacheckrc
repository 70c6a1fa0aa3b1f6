std = "lua54"
max_line_length = 130
files["tests/lua"] = { std = "+busted" }
files["lua/template"] = { std = "+busted" }
