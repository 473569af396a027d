// Does in each thread what `data` says.
export default ({ data }) => {
  switch (data.does) {
    case 'throws':
      throw Object.assign(new RangeError('unfit'), { code: 'E_UNFIT' });
    case 'hangs':
      return new Promise((resolve) => setTimeout(resolve, 60_000));
    case 'exits':
      return process.exit(5);
    default:
      return data.options;
  }
};
