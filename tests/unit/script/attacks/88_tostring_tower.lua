local t t = setmetatable({}, { __tostring = function() return "x" .. tostring(t) end }) while true do pcall(tostring, t) end
