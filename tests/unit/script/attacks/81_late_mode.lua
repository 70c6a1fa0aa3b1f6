local mt = {} local t = setmetatable({}, mt) mt["__mo" .. "de"] = "k" return t
