local s = ("x"):rep(500000) while true do local _ = s .. s end
