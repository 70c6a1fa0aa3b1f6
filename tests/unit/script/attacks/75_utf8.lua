local s = utf8.char(0x10ffff):rep(250000) while true do utf8.len(s) pcall(utf8.codepoint, s, 1, -1) for _ in utf8.codes(s) do end end
