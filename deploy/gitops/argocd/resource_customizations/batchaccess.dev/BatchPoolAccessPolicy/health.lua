-- A policy is healthy while its pools are as it asks for; in mode Audit it asks only to be told of drift.
local function health(status, message)
  return { status = status, message = message }
end

if obj.status == nil or obj.status.conditions == nil then
  return health("Progressing", "Waiting for the first sweep of its accounts.")
end
if obj.status.observedGeneration ~= obj.metadata.generation then
  return health("Progressing", "Waiting for the operator to take up the latest change.")
end

local found = {}
for _, condition in ipairs(obj.status.conditions) do
  found[condition.type] = condition
end
local ready = found.Ready
if ready == nil then
  return health("Progressing", "Waiting for the condition Ready.")
end

local message = ready.reason .. ": " .. ready.message
if found.Stalled ~= nil and found.Stalled.status == "True" then
  return health("Degraded", message)
end
if ready.status ~= "True" then
  return health("Progressing", message)
end
-- Where only the connection is suspended, the reason tells of it.
if obj.spec.suspend or ready.reason == "Suspended" then
  return health("Suspended", message)
end
return health("Healthy", message)
