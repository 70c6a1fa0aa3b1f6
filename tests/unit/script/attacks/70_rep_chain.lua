local s = "x" for _ = 1, 40 do s = s:rep(100) end
