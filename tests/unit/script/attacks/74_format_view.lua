while true do string.format("%s %s", view, view.nodes) end
