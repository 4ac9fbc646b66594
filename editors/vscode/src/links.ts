/** Commands of ours that the server's lenses, hovers and tooltips may name, and no others. */
export const COMMANDS = [
  'radLsp.openSession',
  'radLsp.showCost',
  'radLsp.openComparison',
  'radLsp.exportSession',
] as const;
