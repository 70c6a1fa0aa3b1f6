local s = ("ab"):rep(400) while true do pcall(string.match, s, "(.-)%1%1c") pcall(string.gsub, s, "%b()()", "%1") end
