while true do table.concat(view.voters, ",") table.unpack(view.voters) for _ in pairs(view.nodes) do end end
