-- What Argo CD shows of a Migration, and what a sync wave waits for: the configuration resource.customizations.health of
-- sluice.dev_Migration. A wave goes on once this says Healthy, and the sync fails on Degraded.
local health = { status = "Progressing", message = "the operator has not looked at it yet" }

-- For these it waits for what a later wave brings: the workload that no longer needs what is to go, the release that writes
-- both sides. If the wave waited as well, neither would ever come. What must not roll out yet is held by the gate all the same.
local waitsForLaterWaves = { WaitingForDependents = true, WaitingForDualWrite = true }

-- For these somebody has to do something, though the operator looks again by itself.
local needsSomebody = { ProofBroken = true }

local status = obj.status
if status == nil or status.conditions == nil or status.observedGeneration ~= obj.metadata.generation then
    return health
end

local conditions = {}
for _, condition in ipairs(status.conditions) do
    conditions[condition.type] = condition
end
local function holds(name)
    return conditions[name] ~= nil and conditions[name].status == "True"
end

local ready = conditions.Ready
if ready == nil then
    return health
end
health.message = ready.message
if holds("Stalled") then
    health.status = "Degraded"
    health.message = conditions.Stalled.reason .. ": " .. conditions.Stalled.message
elseif ready.status == "True" then
    health.status = "Healthy"
elseif ready.reason == "Suspended" then
    health.status = "Suspended"
elseif needsSomebody[ready.reason] then
    health.status = "Degraded"
elseif waitsForLaterWaves[ready.reason] then
    health.status = "Healthy"
elseif status.progress ~= nil and status.progress.percent ~= nil then
    health.message = ready.message .. " (" .. status.progress.percent .. ")"
end
return health
