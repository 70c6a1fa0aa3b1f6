local s = ("e"):rep(1000000) while true do pcall(error, s) pcall(function() error(s .. "x") end) end
