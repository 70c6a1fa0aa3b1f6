-- Loaded before the specs: the model brings what modules find in a node's sandbox.
require "aikv.model"
