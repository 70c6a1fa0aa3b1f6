-- a gmatch that found its last match searches the rest again at each call
local it = ("a"):rep(2000):gmatch "a-b" while true do it() end
