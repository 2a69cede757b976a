/** Why a member that Socket.IO's objects have is not in the facade, by kind of object. */
export const reasons: Readonly<Record<string, Readonly<Record<string, string>>>> = {}
