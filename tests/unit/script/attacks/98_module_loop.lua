local V = require "aikv.view" V.where = function() return V.where() end while true do pcall(V.members, view, view.shards[1]) end
