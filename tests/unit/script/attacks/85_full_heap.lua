-- nearly full: each refused block is a collection of the whole heap
local keep, n = {}, 0
pcall(function() for i = 1, 60000 do keep[i] = { {}, {}, {}, {}, {}, {}, {}, {} } end end)
while true do pcall(table.unpack, {}, 1, 200000) end
