-- A connection is healthy while the operator can observe its account.
local function health(status, message)
  return { status = status, message = message }
end

if obj.status == nil or obj.status.conditions == nil then
  return health("Progressing", "Waiting for the first sweep of the account.")
end
if obj.status.observedGeneration ~= obj.metadata.generation then
  return health("Progressing", "Waiting for the operator to take up the latest change.")
end

for _, condition in ipairs(obj.status.conditions) do
  if condition.type == "Ready" then
    local message = condition.reason .. ": " .. condition.message
    if condition.status == "True" then
      return health(obj.spec.suspend and "Suspended" or "Healthy", message)
    end
    -- The account answers and asks for patience, or the connection goes: that ends by itself.
    local passing = { Throttled = true, Leaving = true, Deleting = true }
    if condition.status == "Unknown" or passing[condition.reason] then
      return health("Progressing", message)
    end
    return health("Degraded", message)
  end
end
return health("Progressing", "Waiting for the condition Ready.")
