local t t = setmetatable({}, { __index = function(_, k) return t[k .. "x"] end }) while true do pcall(function() return t.a end) end
