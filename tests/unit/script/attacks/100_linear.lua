local a = ("9"):rep(1000000) local b = a .. "8" while true do a:upper() local _ = a < b, tonumber(a), tonumber(a, 36), a:reverse(), a:byte(-1) end
