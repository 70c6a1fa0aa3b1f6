-- each link of the chain is in a weak table of its own, in random order: one collection takes half a minute
local n, keys, tabs, r, mt = 20000, {}, {}, 1, { ["__mo" .. "de"] = "k" }
for i = 1, n + 1 do keys[i] = {} end
for i = 1, n do tabs[i] = setmetatable({}, mt) end
for i = 1, n do r = r * 1103515245 + 12345 & 0x7fffffff tabs[r % n + 1][keys[i]] = keys[i + 1] end
keys = { keys[1] } while true do local _ = {} end
