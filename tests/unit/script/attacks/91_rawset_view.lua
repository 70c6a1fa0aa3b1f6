view.nodes[1].up = false
