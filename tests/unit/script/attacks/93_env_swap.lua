local E E = setmetatable({}, { __newindex = function(_, k, v) E[k .. k] = v end }) local _ENV = E a = 1
