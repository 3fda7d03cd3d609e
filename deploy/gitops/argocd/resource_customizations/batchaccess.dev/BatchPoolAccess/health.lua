-- A pool is healthy while its network is as its policy declares. One that no policy governs is healthy as long as the
-- Internet does not reach it.
local function health(status, message)
  return { status = status, message = message }
end

if obj.status == nil or obj.status.conditions == nil then
  return health("Progressing", "Waiting for the first sweep of the account.")
end
if obj.status.observedGeneration ~= obj.metadata.generation then
  return health("Progressing", "Waiting for the operator to take up the latest change.")
end

local nothing = { status = "Unknown", reason = "NotObserved", message = "Nothing is known of it yet." }
local found = {}
for _, condition in ipairs(obj.status.conditions) do
  found[condition.type] = condition
end
local compliant = found.Compliant or nothing
local exposed = found.Exposed or nothing
local remediating = found.Remediating or nothing

local function told(condition)
  return condition.reason .. ": " .. condition.message
end

if remediating.status == "True" then
  -- Its nodes are missing and the operator cannot bring them back alone.
  if remediating.reason == "RestorePending" then
    return health("Degraded", told(remediating))
  end
  return health("Progressing", told(remediating))
end
if exposed.status == "True" and compliant.status ~= "True" then
  return health("Degraded", told(exposed) .. " " .. told(compliant))
end
if compliant.status == "True" then
  return health("Healthy", told(compliant))
end
if compliant.reason == "NotManaged" then
  return health("Healthy", told(compliant) .. " " .. exposed.message)
end
if compliant.reason == "Suspended" then
  return health("Suspended", told(compliant))
end
if remediating.reason == "Waiting" or compliant.reason == "NotObserved" then
  return health("Progressing", told(compliant))
end
return health("Degraded", told(compliant))
