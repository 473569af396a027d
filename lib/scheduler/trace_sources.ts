// Numbers that every trace of this thread shows. The loop adds its own when it starts; neither part
// has to know whether the other one is there.

export type TraceSource = () => Record<string, number>;

export const commonSources: TraceSource[] = [];
