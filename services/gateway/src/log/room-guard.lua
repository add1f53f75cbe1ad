-- Functions about who may read and write in a room. Prepended to the scripts that check it.
--
-- Sanctions of a room: a hash with the fields `ban LF user`, `kick LF user` and `mute LF user`. The
-- value is `untilMs LF by LF reason`; untilMs 0 has no end. Sanctions that have ended may remain.

local function until_of(sanction)
  return tonumber(string.match(sanction, '^%d+'))
end

local function is_active(sanction, now)
  if not sanction then return false end
  local until_ms = until_of(sanction)
  return until_ms == 0 or until_ms > now
end

-- The end (ms, 0 for none) of the user's ban or kick; nil if the user may enter.
local function shut_out_until(sanctions_key, user, now)
  local found = redis.call('HMGET', sanctions_key, 'ban\n' .. user, 'kick\n' .. user)
  for _, sanction in ipairs(found) do
    if is_active(sanction, now) then return until_of(sanction) end
  end
  return nil
end

-- The end of the user's mute; nil if the user is not muted.
local function muted_until(sanctions_key, user, now)
  local sanction = redis.call('HGET', sanctions_key, 'mute\n' .. user)
  if is_active(sanction, now) then return until_of(sanction) end
  return nil
end

-- A room is guarded while any of this can refuse a user.
local function update_guard(meta_key, sanctions_key)
  local meta = redis.call('HMGET', meta_key, 'closed', 'readOnly', 'slowModeS')
  if meta[1] or meta[2] or meta[3] or redis.call('EXISTS', sanctions_key) == 1 then
    redis.call('HSET', meta_key, 'guarded', '1')
  else
    redis.call('HDEL', meta_key, 'guarded')
  end
end
