local s, t = ("x"):rep(1000000), {} for i = 1, 60000 do t[i] = s end table.sort(t, string.lower)
