-- What `aikv script test` has busted load before the tests: the model, and a failure where there turns out to be no test.
local busted = require "busted"
require "aikv.model"

local tests = 0
busted.subscribe({ "test", "start" }, function()
  tests = tests + 1
  return nil, true
end)
busted.subscribe({ "exit" }, function()
  if tests == 0 then
    io.stderr:write "aikv: there is no test: describe(…, function() it(…, function() … end) end) makes one\n"
    os.exit(1)
  end
  return nil, true
end)
