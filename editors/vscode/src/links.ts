/** Commands of ours that the server's lenses, hovers, tooltips and notices may name, and no others. */
export const COMMANDS = [
  'radLsp.openSession',
  'radLsp.showCost',
  'radLsp.openComparison',
  'radLsp.exportSession',
  'radLsp.showNotice',
] as const;
