setmetatable(_ENV, { __index = function(_, k) return nothing_at_all[k] end }) return x
