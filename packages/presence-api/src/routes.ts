/** HTTP routes of the presence service. A name after a colon is a parameter. */
export const ROUTES = {
  sync: '/v1/nodes/:node/sync',
  report: '/v1/nodes/:node/report',
  /** Renews the lease of a node without changes to report. */
  beat: '/v1/nodes/:node/beat',
  depart: '/v1/nodes/:node/depart',
  status: '/v1/users/:user/status',
  users: '/v1/users',
  room: '/v1/rooms/:room',
  counts: '/v1/counts',
} as const;

export type RouteName = keyof typeof ROUTES;

/** The path of a request, with the parameter escaped. */
export const pathOf = (route: RouteName, parameter = ''): string =>
  ROUTES[route].replace(/:\w+/, () => encodeURIComponent(parameter));
