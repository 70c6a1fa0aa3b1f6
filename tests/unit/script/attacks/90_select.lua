local t = {} for i = 1, 60000 do t[i] = i end while true do select(-1, table.unpack(t)) math.max(table.unpack(t)) end
